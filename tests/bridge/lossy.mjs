// Stands between clients and a server of NATS, and swallows the first COUNT commands that begin with
// BEGINNING. Without it these are messages with headers, as bridge out publishes them:
// node lossy.mjs PORT SERVER_PORT COUNT [BEGINNING]
import net from 'node:net'

const [port, serverPort, count] = process.argv.slice(2, 5).map(Number)
const beginning = Buffer.from(process.argv[5] ?? 'HPUB ')
let swallowed = 0

/** The length of the first command of the client, with what belongs to it. 0: it is not whole. */
function lengthOfFirst(bytes) {
  const end = bytes.indexOf('\r\n')
  if (end < 0) return 0
  const words = bytes.subarray(0, end).toString().split(' ')
  const length = end + 2 + (/^H?PUB$/.test(words[0]) ? Number(words.at(-1)) + 2 : 0)
  return length <= bytes.length ? length : 0
}

net.createServer((client) => {
  const server = net.connect(serverPort, '127.0.0.1')
  server.pipe(client)
  let bytes = Buffer.alloc(0)
  client.on('data', (chunk) => {
    bytes = Buffer.concat([bytes, chunk])
    for (let length; (length = lengthOfFirst(bytes)) > 0; bytes = bytes.subarray(length)) {
      if (bytes.subarray(0, beginning.length).equals(beginning) && swallowed < count) swallowed++
      else server.write(bytes.subarray(0, length))
    }
  })
  client.on('close', () => server.destroy())
}).listen(port, '127.0.0.1', () => console.log('ready'))
