/**
 * The few tests that verification needs, each honest with few samples and without an assumption about how times are
 * distributed: Fisher's exact test for shares, Mann–Whitney's for values, and an e-process that may be looked at after
 * every call. One-sided; small p: the second is greater than chance makes it. Pure.
 */
const logFactorials: number[] = [0]

function logFactorial(n: number): number {
  for (let next = logFactorials.length; next <= n; next++)
    logFactorials.push((logFactorials[next - 1] ?? 0) + Math.log(next))
  return logFactorials[n] ?? 0
}

const logChoose = (n: number, k: number): number => logFactorial(n) - logFactorial(k) - logFactorial(n - k)

/** `k0` of `n0` before, `k1` of `n1` after: how likely so many after are, if both shares are the same. */
export function fisher(k0: number, n0: number, k1: number, n1: number): number {
  const [total, hits] = [n0 + n1, k0 + k1]
  let p = 0
  for (let k = k1; k <= Math.min(hits, n1); k++)
    if (hits - k <= n0) p += Math.exp(logChoose(n1, k) + logChoose(n0, hits - k) - logChoose(total, hits))
  return Math.min(1, p)
}

/** How likely it is that `after` lies so far above `before`, if both come from the same. With ties; by the normal approximation. */
export function ranks(before: readonly number[], after: readonly number[]): number {
  const [n0, n1] = [before.length, after.length]
  if (n0 === 0 || n1 === 0) return 1
  const all = [
    ...before.map((value) => ({ value, isAfter: false })),
    ...after.map((value) => ({ value, isAfter: true })),
  ]
  all.sort((a, b) => a.value - b.value)
  let [rankSum, ties] = [0, 0]
  for (let from = 0; from < all.length; ) {
    let to = from
    while (to < all.length && all[to]?.value === all[from]?.value) to++
    const rank = (from + to + 1) / 2
    for (let index = from; index < to; index++) if (all[index]?.isAfter === true) rankSum += rank
    ties += (to - from) ** 3 - (to - from)
    from = to
  }
  const n = n0 + n1
  const variance = ((n0 * n1) / 12) * (n + 1 - ties / (n * (n - 1)))
  if (variance <= 0) return 1
  const u = rankSum - (n1 * (n1 + 1)) / 2
  return upperTail((u - (n0 * n1) / 2 - 0.5) / Math.sqrt(variance))
}

/** Of the standard normal distribution (Abramowitz and Stegun 26.2.17; error below 1e-7). */
function upperTail(z: number): number {
  if (z < 0) return 1 - upperTail(-z)
  const t = 1 / (1 + 0.231_641_9 * z)
  const sum = t * (0.319_381_53 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))))
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * sum
}

/** The prior of shares that are looked for: mostly small ones. */
const A = 0.5
const B = 9.5

/**
 * Evidence that the true share is above `p0`, after `k` of `n`: a mixture likelihood ratio over Beta(0.5, 9.5). It may be
 * looked at after every call: above 100 it is wrong once in a hundred runs at most, however long they are.
 */
export function evidenceAbove(p0: number, k: number, n: number): number {
  let log = 0
  for (let index = 0; index < k; index++) log += Math.log(A + index)
  for (let index = 0; index < n - k; index++) log += Math.log(B + index)
  for (let index = 0; index < n; index++) log -= Math.log(A + B + index)
  return Math.exp(log - k * Math.log(p0) - (n - k) * Math.log1p(-p0))
}

/** What the true share may well be at most, after `k` of `n` (Wilson, one-sided 95 %). */
export function shareAtMost(k: number, n: number): number {
  if (n === 0) return 1
  const z2 = 1.645 ** 2
  const p = k / n
  const spread = 1.645 * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n))
  return (p + z2 / (2 * n) + spread) / (1 + z2 / n)
}

/** null for none. By the nearest rank: a value that was seen. */
export function quantile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
