/** A million hostile config texts. */
import { expect, it } from 'vitest'
import { scaled, seeded, tell } from '../support/nightly.ts'
import { fuzzYaml } from '../support/yaml-fuzz.ts'

it('every one is a config or an error with its place, soon, and no prototype changes', () => {
  const [seed, cases] = [seeded(20_260_302), scaled(1_000_000)]
  const { problems, slow, valid, refused, compared, slowest_ms, all_ms } = fuzzYaml(seed, cases)
  const mean_ms = all_ms / cases
  tell('R16', { seed, cases, valid, refused, compared, slow: slow.length, slowest_ms, mean_ms })
  expect(problems).toEqual([])
  expect(slow).toEqual([])
})
