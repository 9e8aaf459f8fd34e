/** Races a promise against a deadline of the injected clock. The promise itself goes on; its late error is dropped. */
import type { Clock } from '../contracts/seams.ts'

export function within<T>(clock: Clock, ms: number, work: Promise<T>, late: () => unknown): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = clock.after(ms, () => reject(late()))
    work.then(
      (value) => {
        clock.clear(timer)
        resolve(value)
      },
      (error) => {
        clock.clear(timer)
        reject(error)
      },
    )
  })
}
