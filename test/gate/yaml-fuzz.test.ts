/** 50,000 hostile config texts: aliases, tags, tabs, nesting, 10 MB, NUL, half-written files, and all of it at once. */
import { expect, it } from 'vitest'
import { fuzzYaml } from '../support/yaml-fuzz.ts'

const SEED = 20_260_301
const CASES = 50_000

it('every one is a config or an error with its place, soon, and no prototype changes', () => {
  const { problems, slow, valid, refused, compared } = fuzzYaml(SEED, CASES)
  expect(problems).toEqual([])
  expect(slow).toEqual([])
  // Both ways are taken often, or the texts would show nothing.
  expect(valid).toBeGreaterThan(CASES / 10)
  expect(refused['config_syntax']).toBeGreaterThan(CASES / 10)
  expect(Object.keys(refused)).toEqual(expect.arrayContaining(['config_key', 'config_not_map', 'config_too_large']))
  expect(compared).toBeGreaterThan(CASES / 10)
})
