/**
 * Several calls at once: runs of read-only ones side by side, anything else alone in its place, so that what a call
 * changes is seen by those after it and by none before it. The order of the results is that of the calls.
 */
export async function inBatches<Call, Result>(
  calls: readonly Call[],
  isReadOnly: (call: Call) => boolean,
  parallelMax: number,
  /** Never rejects. */
  run: (call: Call) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  for (let at = 0; at < calls.length; ) {
    const end = isReadOnly(calls[at] as Call) ? endOfRun(calls, at, isReadOnly) : at + 1
    results.push(...(await sideBySide(calls.slice(at, end), parallelMax, run)))
    at = end
  }
  return results
}

function endOfRun<Call>(calls: readonly Call[], from: number, isReadOnly: (call: Call) => boolean): number {
  let end = from
  while (end < calls.length && isReadOnly(calls[end] as Call)) end++
  return end
}

async function sideBySide<Call, Result>(
  calls: readonly Call[],
  parallelMax: number,
  run: (call: Call) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    for (let at = next++; at < calls.length; at = next++) results[at] = await run(calls[at] as Call)
  }
  await Promise.all(Array.from({ length: Math.min(parallelMax, calls.length) }, worker))
  return results
}
