export const square = (n) => n * n;
export const analyse = (n) => n + 100;
