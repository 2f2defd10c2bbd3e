// The progress bar, on stderr: the report on stdout stays clean.
import { Presets, SingleBar } from 'cli-progress'

export class Progress {
  #bar
  #total

  constructor(total, stream) {
    this.#total = total
    this.#bar = new SingleBar({
      format: '{bar} {percentage}% | {value}/{total} files | {rate} files/s',
      stream,
      // Hidden, it would stay so when this process is killed.
      hideCursor: false,
      // Without a terminal: a line now and then instead of a bar that moves.
      noTTYOutput: true,
      notTTYSchedule: 2000,
      // main.js decides what a signal does.
      gracefulExit: false,
    }, Presets.shades_classic)
    this.#bar.start(total, 0, { rate: 0 })
  }

  update(done, seconds) {
    // What was put while we counted may exceed what the first walk saw.
    if (done > this.#total) this.#bar.setTotal((this.#total = done))
    this.#bar.update(done, { rate: Math.round(done / seconds) })
  }

  stop() {
    this.#bar.stop()
  }
}
