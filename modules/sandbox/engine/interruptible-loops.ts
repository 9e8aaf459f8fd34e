/**
 * Keeps each loop of a guest interruptible. From V8 13 on (seen on Node 24 and 26), the step of the compiler that unrolls
 * small loops loses, in isolates of isolated-vm, the check for interrupts of a loop around one that makes arrays:
 * `for (;;) new Array(1000)` ends neither by its time limit nor by its memory limit. Without that step it does. Threads
 * and `node:vm` were tried with the same loop, and are not concerned.
 */
import { setFlagsFromString } from 'node:v8'

const [major] = process.versions.node.split('.').map(Number) as [number]

/** For a process that guests run in. Node 20 does not know the flag, and Node 22 has no such fault. */
export const INTERRUPTIBLE_FLAGS: readonly string[] = major >= 23 ? ['--no-turboshaft-loop-unrolling'] : []

/** For this process, before its first guest: what was compiled by then stays as it is. */
export function keepLoopsInterruptible(): void {
  for (const flag of INTERRUPTIBLE_FLAGS) setFlagsFromString(flag)
}
