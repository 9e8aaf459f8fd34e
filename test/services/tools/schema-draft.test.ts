/** A schema of draft 7 in the words of 2020-12 is what the same type gives when it is asked for that draft at once. */
import { expect, it } from 'vitest'
import { z } from 'zod'
import type { JsonMap } from '../../../modules/contracts/seams.ts'
import { toDraft2020 } from '../../../modules/services/tools/schema-draft.ts'

const tree = z.object({
  name: z.string().default('items'),
  get parts() {
    return z.array(tree).optional()
  },
})

it.each([
  ['plain', z.object({ a: z.string().describe('a'), b: z.int().optional(), items: z.enum(['definitions', 'items']) })],
  ['lists', z.object({ list: z.array(z.array(z.number())), pair: z.tuple([z.string(), z.int()]) })],
  ['a tuple with a rest', z.object({ pair: z.tuple([z.string()], z.int()) })],
  ['recursive', z.object({ tree, other: tree.nullable() })],
  ['maps', z.object({ free: z.record(z.string(), z.union([z.string(), z.null()])) })],
])('%s', (_name, type) => {
  const seven = z.toJSONSchema(type, { target: 'draft-7', io: 'input' }) as JsonMap
  const expected = z.toJSONSchema(type, { target: 'draft-2020-12', io: 'input' })
  expect(toDraft2020(seven)).toEqual(expected)
})
