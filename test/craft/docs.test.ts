/** Pages that are written from the code: `npm run docs` writes what these tests compare. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { expect, it } from 'vitest'
import { shapeOf } from '../../cli/common.ts'
import { createProgram } from '../../cli/program.ts'
import { packageRoot } from '../support/root.ts'
import { matchesFile } from './files.ts'

const program = await createProgram(() => undefined)
const leaves = (command: Command): Command[] => [
  ...(command === program ? [] : [command]),
  ...command.commands.flatMap(leaves),
]
const commands = leaves(program)

function nameOf(command: Command): string {
  const { parent } = command
  return parent === null || parent === program ? command.name() : `${nameOf(parent)} ${command.name()}`
}

const cell = (text: string): string => text.replaceAll('|', '\\|')

function section(command: Command): string {
  const usage = command.registeredArguments.map((one) => {
    const name = one.variadic ? `${one.name()}...` : one.name()
    return one.required ? ` <${name}>` : ` [${name}]`
  })
  const options = command.options.map((one) => `| \`${one.flags}\` | ${cell(one.description)}${defaultOf(one)} |`)
  const table = options.length === 0 ? '' : `\n| option | |\n|---|---|\n${options.join('\n')}\n`
  const shape = shapeOf(command)
  const json = shape === undefined ? '' : `\n\`--json\`: ${/^[[{]/.test(shape) ? `\`${shape}\`` : shape}\n`
  return `## mm ${nameOf(command)}\n\n\`mm ${nameOf(command)}${usage.join('')}\`: ${command.description()}.\n${table}${json}`
}

const defaultOf = ({ defaultValue }: { defaultValue?: unknown }): string =>
  typeof defaultValue === 'string' ? ` (default: ${defaultValue})` : ''

function page(): string {
  const index = commands.map(
    (one) => `| [mm ${nameOf(one)}](#mm-${nameOf(one).replaceAll(' ', '-')}) | ${one.description()} |`,
  )
  return `# The command line

\`mm\` (in a checkout: \`npm start --\`) works on the root in the current folder, or on the one that \`--root <dir>\` names.
This page is written from the commands by \`npm run docs\`; \`mm <command> --help\` prints the same.

Exit codes: 0 done, 1 the thing failed, 2 used wrongly, 3 no system is reachable.

With \`--json\` a command prints one JSON value on stdout, and a failure as \`{"error": {"code", "message", "hint"}}\` on
stderr, usage errors included. Keys are as the HTTP API has them; a \`?\` marks one that may be missing. New keys may be
added; none is renamed or taken away.

Completion of commands, options, files and names of services: \`source <(mm completion bash)\`, \`source <(mm completion zsh)\`,
or \`mm completion fish | source\`.

| command | |
|---|---|
${index.join('\n')}

${commands.map(section).join('\n')}`
}

it('docs/cli.md and the commands agree', () => {
  matchesFile('docs/cli.md', page())
})

it('every command says what it prints with --json', () => {
  const silent = commands.filter((one) => one.commands.length === 0 && shapeOf(one) === undefined)
  expect(silent.map(nameOf)).toEqual([])
})

it('the page of commands is in the list of pages', () => {
  expect(readFileSync(join(packageRoot, 'README.md'), 'utf8')).toContain('(docs/cli.md)')
})
