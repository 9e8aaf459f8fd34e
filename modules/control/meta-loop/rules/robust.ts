/**
 * Statistics that a few wild values do not move: median, spread, slope, and how likely a slope is chance, also where
 * each value resembles the one before it, as those of sliding windows do. Pure; used by trends and anomalies.
 */

/** 0 for none. */
export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort()
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}

/** What the median distance from the median is to the standard deviation, where values are normal. */
const MAD_TO_SIGMA = 1.4826
const CLIP = 3

/** Like a standard deviation. The larger of two estimates: with few values one alone is often far too small. */
export function spread(values: readonly number[]): number {
  const center = median(values)
  const rough = MAD_TO_SIGMA * median(values.map((value) => Math.abs(value - center)))
  if (rough === 0 || values.length < 2) return rough
  const clipped = values.map((value) => Math.max(-CLIP * rough, Math.min(CLIP * rough, value - center)))
  const sum = clipped.reduce((total, value) => total + value * value, 0)
  return Math.max(rough, Math.sqrt(sum / (values.length - 1)))
}

export interface Point {
  at: number
  value: number
}

function eachPair(points: readonly Point[], visit: (earlier: Point, later: Point) => void): void {
  for (const [index, later] of points.entries())
    for (let before = 0; before < index; before++) visit(points[before] ?? later, later)
}

/** The median of the slopes of all pairs, per unit of `at` (Theil and Sen). */
export function slopeOf(points: readonly Point[]): number {
  const slopes: number[] = []
  eachPair(points, (a, b) => {
    if (b.at !== a.at) slopes.push((b.value - a.value) / (b.at - a.at))
  })
  return median(slopes)
}

/** How likely so steady a rise or fall is by chance, two-sided (Mann and Kendall, with ties). `slope` as `slopeOf` says. */
export function chanceOf(points: readonly Point[], slope: number): number {
  const n = points.length
  let score = 0
  eachPair(points, (a, b) => (score += Math.sign(b.value - a.value)))
  const ties = new Map<number, number>()
  for (const { value } of points) ties.set(value, (ties.get(value) ?? 0) + 1)
  const tied = [...ties.values()].reduce((sum, t) => sum + t * (t - 1) * (2 * t + 5), 0)
  const variance = ((n * (n - 1) * (2 * n + 5) - tied) / 18) * inflation(points, slope)
  if (variance <= 0) return 1
  return 2 * upperTail(Math.max(0, Math.abs(score) - 1) / Math.sqrt(variance))
}

const RESEMBLANCE_MAX = 0.95
const DUST = 1e-18

/** By how much the variance grows where a value resembles the one before it, beyond what the slope explains. */
function inflation(points: readonly Point[], slope: number): number {
  const rest = points.map(({ at, value }) => value - slope * at)
  const mean = rest.reduce((sum, value) => sum + value, 0) / rest.length
  let [together, alone] = [0, 0]
  for (const [index, value] of rest.entries()) {
    alone += (value - mean) ** 2
    if (index > 0) together += (value - mean) * ((rest[index - 1] ?? 0) - mean)
  }
  // On a straight line all that is left is dust of binary fractions.
  const dust = DUST * rest.length * Math.max(...points.map(({ value }) => value ** 2))
  const resemblance = alone <= dust ? 0 : Math.max(0, Math.min(RESEMBLANCE_MAX, together / alone))
  return (1 + resemblance) / (1 - resemblance)
}

/** Of the standard normal distribution (Abramowitz and Stegun 26.2.17; error below 1e-7), for z from 0. */
function upperTail(z: number): number {
  const t = 1 / (1 + 0.231_641_9 * z)
  const sum = t * (0.319_381_53 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))))
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * sum
}
