/** What is read does not depend on how the message comes in: whole, in two pieces, or character by character. */
import { describe, expect, it } from 'vitest'
import { scan, Scanner, type Part } from '../../modules/bracket/index.ts'
import { oddMessages } from '../support/bracket-messages.ts'
import { splits, tell } from '../support/bracket-told.ts'

const messages = oddMessages(30, 20_260_501)

describe.each([
  ['as the protocol has it', false],
  ['with repairs', true],
])('%s', (_what, repair) => {
  it('every way to cut a message in two tells the same', () => {
    for (const message of messages) expect(splits(message, repair)).toBeUndefined()
  })

  it('character by character tells the same', () => {
    for (const message of messages)
      expect({ message, told: tell(message.split(''), repair) }).toEqual({ message, told: tell([message], repair) })
  })

  it('the parts of a message are those of the batch reader', () => {
    for (const message of messages) {
      const parts = tell(message.split(''), repair).flatMap((told) => (told[0] === 'part' ? [told[1]] : []))
      expect(parts).toEqual(scan(message, { repair }))
    }
  })
})

describe('while a message comes', () => {
  const long = 'x'.repeat(1_000)

  it('text and long strings are told as far as they have come', () => {
    const seen: string[] = []
    const scanner = new Scanner({
      part: () => {},
      text: (piece) => seen.push(piece),
      piece: (_path, piece) => seen.push(piece),
    })
    scanner.push('I write')
    expect(seen.join('')).toBe('I write')
    scanner.push(' it.\n```tool\n{call: write {params {content: "')
    scanner.push(long)
    expect(seen.join('')).toBe(`I write it.\n${long}`)
  })

  it('the name of a call is known before its parameters, and each parameter before the end', () => {
    const told: unknown[] = []
    const scanner = new Scanner({
      part: (part) => told.push(part.kind),
      head: (...head) => told.push(head),
      value: (path, value) => told.push([path.join('.'), value]),
    })
    scanner.push('```tool\n{call: write {params {path: "a.txt"}')
    // The head as a value, and as the head.
    expect(told).toEqual([
      ['call', 'write'],
      ['call', 'write'],
      ['params.path', 'a.txt'],
    ])
    scanner.push(' {mode: 7}}}\n')
    expect(told).toContain('call')
  })

  it('nothing of a block is a part before its closing brace', () => {
    const parts: Part[] = []
    const scanner = new Scanner({ part: (part) => parts.push(part) })
    scanner.push('```tool\n{call: a {params {b: 1}}')
    expect(parts).toEqual([])
    scanner.push('}')
    expect(parts.map((part) => part.kind)).toEqual(['call'])
  })

  it('what was cut off by the provider is told as that, and never guessed to its end', () => {
    for (const open of [
      '{call: a {params {b: "x',
      '{call: a {params {b: 1}',
      '{call: a {params {b: <<END\nx\n',
      '{call: a',
    ]) {
      const parts: Part[] = []
      const scanner = new Scanner({ part: (part) => parts.push(part) }, { repair: true })
      scanner.push(`\`\`\`tool\n{call: first}\n${open}`)
      scanner.end({ truncated: true })
      expect(parts).toMatchObject([
        { kind: 'call', name: 'first' },
        { kind: 'error', error: { code: 'truncated', line: 3 } },
      ])
    }
  })
})
