/** The two listings of the paper are the protocol's first users: they parse as they are printed, byte for byte. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { scan } from '../../modules/bracket/index.ts'

const listing = (number: number): string =>
  readFileSync(new URL(`../fixtures/bracket/listing-${number}.txt`, import.meta.url), 'utf8')

it('listing 8, a call, parses as the paper prints it', () => {
  expect(scan(listing(8))).toEqual([
    {
      kind: 'call',
      name: 'filesystem_read_file',
      params: { path: 'modules/web.py' },
      id: undefined,
      source: '{call: filesystem_read_file {params {path: "modules/web.py"} } }',
    },
  ])
})

it('listing 9, a result, parses as the paper prints it', () => {
  const parts = scan(listing(9))
  expect(parts).toHaveLength(1)
  expect(parts[0]).toMatchObject({
    kind: 'result',
    name: 'filesystem_read_file',
    body: { status: 'success', data: { content: 'import os\nimport logging...' } },
  })
})

it('both listings in one message, with text around, give their parts in order', () => {
  const parts = scan(`I read it.\n${listing(8)}Then:\n${listing(9)}Done.`)
  expect(parts.map((part) => part.kind)).toEqual(['text', 'call', 'text', 'result', 'text'])
})

it('a listing with Windows line ends gives the same call', () => {
  expect(scan(listing(8).replaceAll('\n', '\r\n'))).toMatchObject([
    { kind: 'call', name: 'filesystem_read_file', params: { path: 'modules/web.py' } },
  ])
})
