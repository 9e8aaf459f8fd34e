/** Hostile messages and real texts for the Bracket Protocol, at any size. Used by the tests of the gate and the night. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fence, printCall, scan, type Part } from '../../modules/bracket/index.ts'
import { random, type Random } from './load.ts'
import { oddMessages } from './bracket-messages.ts'

const PIECES = [
  '```tool\n',
  '```',
  '````',
  '\n',
  '\r\n',
  '{',
  '}',
  '[',
  ']',
  ':',
  ',',
  '"',
  "'",
  '\\',
  '\\u12',
  '<<END\n',
  '\nEND',
  'END',
  '<<',
  '{call: t',
  '{call:',
  'params',
  '{params {a: 1}}',
  'call',
  ' ',
  '\t',
  '#',
  '//',
  '= 1',
  'True',
  '\\_',
  '-',
  '1e999',
  '\0',
  '\u2028',
  '\ud83d',
  '__proto__: 1',
  '{"name": "t", "arguments": ',
  '```json\n',
  '{result: t}',
  'text and more text',
  '9'.repeat(40),
  'x'.repeat(300),
] as const

function hostile(random_: Random, odd: readonly string[]): string {
  const pick = (): string => PIECES[random_.between(0, PIECES.length - 1)] ?? ''
  if (random_.next() < 0.5) {
    const begin = random_.next() < 0.7 ? '```tool\n' : ''
    return begin + Array.from({ length: random_.between(1, 25) }, pick).join('')
  }
  // One that is nearly right, with something in it that is not.
  const message = odd[random_.between(0, odd.length - 1)] ?? ''
  const at = random_.between(0, message.length)
  return message.slice(0, at) + pick() + message.slice(at + random_.between(0, 3))
}

export interface FuzzFigures {
  problems: unknown[]
  calls: number
  errors: Record<string, number>
  slowest_ms: number
}

/** Every message gives parts, and every error is told whole. */
export function fuzzBracket(seed: number, count: number): FuzzFigures {
  const random_ = random(seed)
  const odd = oddMessages(500, seed)
  const figures: FuzzFigures = { problems: [], calls: 0, errors: {}, slowest_ms: 0 }
  for (let index = 0; index < count; index++) {
    const text = hostile(random_, odd)
    const began = performance.now()
    let parts: Part[]
    try {
      parts = scan(text, { repair: index % 2 === 0, truncated: index % 5 === 0 })
    } catch (thrown) {
      figures.problems.push({ text, thrown: String(thrown) })
      continue
    }
    figures.slowest_ms = Math.max(figures.slowest_ms, performance.now() - began)
    for (const part of parts) note(figures, part, text)
  }
  return figures
}

function note(figures: FuzzFigures, part: Part, text: string): void {
  if (part.kind === 'call') figures.calls++
  if (part.kind !== 'error') return
  const { code, line, column, hint, message, excerpt, offset } = part.error
  figures.errors[code] = (figures.errors[code] ?? 0) + 1
  const lines = text.slice(0, offset).split('\n')
  const isPlaced = line === lines.length && column === (lines.at(-1)?.length ?? 0) + 1 && offset <= text.length
  const isTold = hint !== '' && message !== '' && (text.split('\n')[line - 1] ?? '').startsWith(excerpt)
  if (!isPlaced || !isTold) figures.problems.push({ text, error: part.error })
}

const SIZE_MAX = 400_000

const isBinary = (path: string): boolean => readFileSync(path).includes(0)

/** Real source files below folders, at most `count`: whatever is text and no larger than a block may be. */
export function* sourceFiles(roots: readonly string[], count: number): Generator<string> {
  let left = count
  const folders = roots.filter((root) => existsSync(root)).toReversed()
  for (let next = folders.pop(); next !== undefined && left > 0; next = folders.pop()) {
    for (const entry of readdirSync(next, { withFileTypes: true })) {
      const path = join(next, entry.name)
      if (entry.isDirectory()) folders.push(path)
      else if (entry.isFile() && statSync(path).size < SIZE_MAX && !isBinary(path) && left-- > 0) yield path
    }
  }
}

/** True when the text comes back as it was, raw or quoted as the printer has it, and quoted as JSON has it. */
export function comesBack(text: string): boolean {
  const printed = fence('tool', printCall('write', { text }))
  const quoted = `\`\`\`tool\n{call: write {params {text: ${JSON.stringify(text)}}}}\n\`\`\``
  return [printed, quoted].every((message) => {
    const parts = scan(message)
    const [part] = parts
    return parts.length === 1 && part?.kind === 'call' && part.params['text'] === text
  })
}

export const readText = (path: string): string => readFileSync(path, 'utf8')
