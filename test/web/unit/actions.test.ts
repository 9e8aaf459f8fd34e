/** What a button of the page does, `mm` does as well: the command beside it exists. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { expect, it } from 'vitest'
import { createProgram } from '../../../cli/program.ts'
import { packageRoot } from '../../support/root.ts'

const WEB = join(packageRoot, 'web', 'src')
const sources = readdirSync(WEB, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.tsx'))

/** Every `command="mm …"` and ``command={`mm …`}`` of a part that shows one. */
function commandsIn(file: string): string[] {
  const text = readFileSync(join(WEB, file), 'utf8')
  return [...text.matchAll(/\bcommand(?:=|: ?)\{?["'`](mm [^"'`]*)["'`]/g)].map(([, command = '']) => command)
}

/** The words before the first argument: `mm kernel swap` of `mm kernel swap ${…}`. Undefined: there is no such command. */
function commandOf(program: Command, line: string): Command | undefined {
  let at: Command = program
  for (const word of line.split(' ').slice(1)) {
    if (word.startsWith('--')) continue
    const next = at.commands.find((one) => one.name() === word || one.aliases().includes(word))
    if (next === undefined) return at === program || at.registeredArguments.length === 0 ? undefined : at
    at = next
  }
  return at === program ? undefined : at
}

it('every command that stands beside a button is one of mm', () => {
  const program = createProgram(() => undefined)
  const all = sources.flatMap((file) => commandsIn(file).map((command) => ({ file, command })))
  expect(all.length).toBeGreaterThan(0)
  expect(all.filter(({ command }) => commandOf(program, command) === undefined)).toEqual([])
})

it('the options beside a button are options of its command', () => {
  const program = createProgram(() => undefined)
  const wrong = sources.flatMap(commandsIn).filter((line) => {
    const known = [...(commandOf(program, line)?.options ?? []), ...program.options].map(({ long }) => long)
    return (line.match(/--[\w-]+/g) ?? []).some((option) => !known.includes(option))
  })
  expect(wrong).toEqual([])
})

it('what changes something is an Action: no other part of a page asks for more than to read', () => {
  // What may send by itself: the chat, whose message is the action, and questions that change nothing.
  const asking = /ask\(\s*'(?:POST|PUT|PATCH|DELETE) ([^']+)'/g
  const HARMLESS = ['/api/plan', '/api/policy/check', '/api/chat', '/api/meta/rules/preview']
  const wrong = sources
    .filter((file) => !/<Action\b/.test(readFileSync(join(WEB, file), 'utf8')))
    .flatMap((file) =>
      [...readFileSync(join(WEB, file), 'utf8').matchAll(asking)].map(([, path = '']) => `${file}: ${path}`),
    )
    .filter((found) => !HARMLESS.some((path) => found.endsWith(`: ${path}`)))
  expect(wrong).toEqual([])
})
