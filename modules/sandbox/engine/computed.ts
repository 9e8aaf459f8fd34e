/**
 * What a guest has computed since a moment. While an entry is under way the engine tells the time that has passed, not the
 * processor's: on a busy machine one that waits for its turn would look like one that computes. It cannot have computed
 * more than its process has, so the smaller of the two counts. Used by `isolate.ts`.
 */
export interface Mark {
  /** of the isolate, ms, as the engine tells it */
  cpu: number
  /** of the whole process, ms */
  process: number
}

export function processCpu(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

export const computedSince = ({ cpu, process: used }: Mark, now: Mark): number =>
  Math.min(now.cpu - cpu, now.process - used)
