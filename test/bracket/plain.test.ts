/** The quick way through a plain block tells what the block reader tells, of whatever it is given. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fence, printCall, scan, Scanner, type Part } from '../../modules/bracket/index.ts'
import { allCalls, oddMessages } from '../support/bracket-messages.ts'

/** Read without the quick way: there is none where somebody listens to values. */
function slowly(text: string, repair: boolean): Part[] {
  const parts: Part[] = []
  const scanner = new Scanner({ part: (part) => parts.push(part), value: () => {} }, { repair })
  scanner.push(text)
  scanner.end()
  return parts
}

function expectSame(text: string): void {
  for (const repair of [false, true])
    expect({ text, parts: scan(text, { repair }) }).toEqual({ text, parts: slowly(text, repair) })
}

it('real calls, and messages that are odd in every way the tests know', () => {
  for (const { name, params } of allCalls()) expectSame(fence('tool', printCall(name, params)))
  for (const message of oddMessages(2_000, 20_261_121)) expectSame(message)
})

/** Blocks of signs and words that mean something somewhere, in any order. */
const MEANT = `{ } [ ] : , " ' \\ # // \` = call result params data id __proto__ constructor a a b x/y it's a\\_b
  "s" "" 0 007 12 -1.5e3 12345678901234567890 true null None True {a:1} {a:"x"} a:1 }}}`.split(/\s+/)
const pieces = fc.array(
  fc.constantFrom(
    ...MEANT,
    ' ',
    ' ',
    '\n',
    '\u00a0',
    '```\n',
    '<<E\n',
    '\nE\n',
    '"two\nlines"',
    'params {a: 1} {b: 2}',
    '{call: t {params {',
  ),
  { maxLength: 24 },
)

it('blocks put together from whatever means something', () => {
  fc.assert(
    fc.property(pieces, (some) => {
      const inside = some.join('')
      expectSame(`\`\`\`tool\n{call: t {params {a: ${inside}}}}\n\`\`\`\n`)
      expectSame(`\`\`\`tool\n{call: t ${inside}}\n\`\`\`\n`)
      expectSame(`\`\`\`tool\n{${inside}}\n\`\`\``)
      expectSame(`\`\`\`result\n{result: t ${inside}\n\`\`\``)
    }),
    { numRuns: 4_000, seed: 20_261_122 },
  )
})

it.each([
  ['depth', `{a: ${'['.repeat(70)}${']'.repeat(70)}}`],
  ['depth of groups', `${'{a '.repeat(62)}{}${'}'.repeat(62)}`],
  ['members', `{${Array.from({ length: 1_025 }, (_, index) => `k${index}: 1`).join(' ')}}`],
  ['a key’s length', `{${'k'.repeat(257)}: 1}`],
])('the limit of %s', (_what, inside) => expectSame(`\`\`\`tool\n{call: t {params ${inside}}}\n\`\`\``))
