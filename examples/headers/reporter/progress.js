// The progress bar, on stderr: the report on stdout stays clean.
import { Presets, SingleBar } from 'cli-progress'

export class Progress {
  #bar
  #total

  constructor(total, stream, unicode) {
    this.#total = total
    this.#bar = new SingleBar({
      format: '{bar} {percentage}% | {value}/{total} files | {rate} files/s',
      stream,
      barsize: Math.max(5, Math.min(40, (stream.columns ?? 80) - 45)),
      // If this process were killed, the terminal would keep a hidden cursor.
      hideCursor: false,
      linewrap: true,
      // Without a terminal: a line now and then instead of a moving bar.
      noTTYOutput: true,
      notTTYSchedule: 2000,
      // main.js handles the signals.
      gracefulExit: false,
    }, unicode ? Presets.shades_classic : Presets.legacy)
    this.#bar.start(total, 0, { rate: 0 })
  }

  update(done, seconds) {
    // More files may be put than the first walk has seen.
    if (done > this.#total) this.#bar.setTotal((this.#total = done))
    this.#bar.update(done, { rate: Math.round(done / seconds) })
  }

  stop() {
    this.#bar.stop()
  }
}
