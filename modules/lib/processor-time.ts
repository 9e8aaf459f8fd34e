/**
 * How long this process's main thread ran, and how long it could have run while other work had the processor. Linux
 * counts both; elsewhere nothing is known. Reads a small file of the system: for a look now and then, not for each call.
 * Asked by who compares how long things took at two times.
 */
import { readFileSync } from 'node:fs'

/** Since the process began. */
export interface ProcessorTime {
  ran_ms: number
  waited_ms: number
}

export function processorTime(): ProcessorTime | undefined {
  try {
    const [ran, waited] = readFileSync('/proc/self/schedstat', 'latin1').split(' ').map(Number)
    return ran === undefined || waited === undefined ? undefined : { ran_ms: ran / 1e6, waited_ms: waited / 1e6 }
  } catch {
    return undefined
  }
}
