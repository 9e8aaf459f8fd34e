/** Files change at random and half of the news is lost: what is wanted and what runs follow from the files alone. */
import { expect, it } from 'vitest'
import { runSequences } from '../simulation/level.ts'
import { seedsFrom } from '../simulation/seeds.ts'

const SEQUENCES = 500

it(`${SEQUENCES} random sequences end as a cold boot on the same files would`, async () => {
  expect(await runSequences(seedsFrom(1, SEQUENCES))).toEqual([])
})
