/**
 * Lets everybody else have their turn of the event loop. Long work that nobody waits for is cut with it, so that no call
 * waits for the whole. Whoever goes on afterwards looks again: anything may have happened meanwhile. Called by the kernel.
 */
import type { Clock } from '../contracts/seams.ts'

export const nextTurn = (clock: Pick<Clock, 'soon'>): Promise<void> => new Promise((resolve) => clock.soon(resolve))
