from polyproc import Empty, Queue

images = Queue.open("book.images")
try:
    while True:
        with images.take_dead() as image:
            text = bytes(image.data).decode()
            print(f"{text}: was delivered {image.deliveries} times, and never done")
except Empty:
    pass
