// The worker of worker/main.go in JavaScript: node worker.mjs FILE
import fs from 'node:fs'
import { createRequire } from 'node:module'

const { Queue } = createRequire(import.meta.url)('../../bindings/node')

const file = fs.openSync(process.argv[2], 'a')
const jobs = Queue.open('jobs')
for (;;) {
  const job = await jobs.take()
  const text = job.data.toString()
  if (text.startsWith('poison')) {
    job.return()
  } else {
    fs.writeSync(file, `${text} ${Date.now()}\n`)
    job.done()
  }
}
