/** What many calls cost: judged by stretches that both versions made in turns, so that a busy machine blames nobody. */
import { expect, it } from 'vitest'
import { dearer, growing, type Stretch } from '../../../modules/control/self-improver/stretches.ts'

const SLOWER = { slower_share_max: 0.25 }
const LEAK = { leak_bytes_per_call_max: 64 }

const stretches = (of: (index: number) => Partial<Stretch>, length = 12): Stretch[] =>
  Array.from({ length }, (_, index) => ({
    calls: 1_000,
    was_cpu_ms: 100,
    is_cpu_ms: 100,
    was_heap_bytes: 3_000_000,
    is_heap_bytes: 3_000_000,
    ...of(index),
  }))

it('a third more of the processor is too much, whatever the machine does meanwhile', () => {
  const busy = (index: number): number => 1 + (index % 4)
  const costs = (share: number, ms = 1_000) =>
    dearer(
      stretches((index) => ({ was_cpu_ms: ms * busy(index), is_cpu_ms: ms * share * busy(index) })),
      SLOWER,
    )
  expect(costs(1.1)).toBe(undefined)
  // As little as the call itself costs.
  expect(costs(1.34, 100)).toBe(undefined)
  expect(costs(1.34)?.message).toMatch(/a call takes .* ms of the processor where the version that serves takes/)
})

it('what becomes slower in the end is slower; a single slow stretch is not', () => {
  expect(
    dearer(
      stretches((index) => ({ is_cpu_ms: index > 5 ? 200 : 100 })),
      SLOWER,
    ),
  ).toBeDefined()
  expect(
    dearer(
      stretches((index) => ({ is_cpu_ms: index === 8 ? 900 : 100 })),
      SLOWER,
    ),
  ).toBe(undefined)
  expect(
    dearer(
      stretches(() => ({ is_cpu_ms: 900 }), 5),
      SLOWER,
    ),
  ).toBe(undefined)
})

it('memory that grows with the calls is a leak, unless the version that serves grows as much', () => {
  const grows = (index: number): number => 3_000_000 + index * 200_000
  const mine = growing(
    stretches((index) => ({ is_heap_bytes: grows(index) })),
    LEAK,
    true,
  )
  expect(mine?.message).toMatch(/grows by 200 bytes a call \(0 before\)/)
  const both = (index: number) => ({ was_heap_bytes: grows(index), is_heap_bytes: grows(index) + 1_000 })
  expect(growing(stretches(both), LEAK, true)).toBe(undefined)
  // Not exact yet: looked at again.
  expect(growing(stretches(both), LEAK, false)).toBeDefined()
})

it('only stretches after which memory was measured count', () => {
  const some = (index: number) => ({ is_heap_bytes: index % 3 === 0 ? 3_000_000 + index * 200_000 : Infinity })
  expect(growing(stretches(some), LEAK, true)).toBeDefined()
  expect(
    growing(
      stretches((index) => (index % 3 === 0 ? {} : { is_heap_bytes: Infinity })),
      LEAK,
      true,
    ),
  ).toBe(undefined)
})
