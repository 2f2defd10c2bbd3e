import { list } from 'polyproc';

for (const found of list()) {
  if (found.processes === 0) {
    console.log(`${found.name}, a ${found.kind}, ${found.bytes} bytes: nobody uses it`);
    // unlink(found.name) removes it
  }
}
