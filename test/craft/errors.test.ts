import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ERRORS } from '../../modules/contracts/errors.ts'
import { packageRoot } from '../support/root.ts'
import { matchesFile, sourceFiles } from './files.ts'

const codes = Object.keys(ERRORS)
const read = (file: string): string => readFileSync(join(packageRoot, file), 'utf8')

function errorsPage(): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
  const entries = Object.entries(ERRORS).map(
    ([code, { message, hint, status }]) => `## ${code}\n\n${cell(message)}.\n\n${cell(hint)} HTTP ${status}.\n`,
  )
  return `# Errors\n\nEvery error has a code, a message and a hint; it names the file, line and column when the cause stands in a file.
Over HTTP it is \`{"error": {"code", "message", "hint", "doc"}}\`. Words in braces are filled in. This page is written
from \`modules/contracts/errors.ts\` by \`npm run docs\`.\n\n${entries.join('\n')}`
}

it('ERRORS.md and the table agree', () => {
  matchesFile('ERRORS.md', errorsPage())
})

it('every code of the table is used, and every code that is used is in the table', () => {
  const source = [...sourceFiles('modules'), ...sourceFiles('cli'), 'run.ts']
    .filter((file) => file !== 'modules/contracts/errors.ts')
    .map(read)
    .join('\n')
  expect(codes.filter((code) => !source.includes(`'${code}'`))).toEqual([])
  const made = [...source.matchAll(/\bcoded\(\s*'([a-z_]+)'/g)].map((found) => found[1] ?? '')
  expect(made.filter((code) => !codes.includes(code))).toEqual([])
})

it('every code is provoked by a test', () => {
  const tests = sourceFiles('test')
    .filter((file) => /\.test\.ts$|^test\/conformance\//.test(file) && !file.startsWith('test/craft/'))
    .map(read)
    .join('\n')
  expect(codes.filter((code) => !new RegExp(`\\b${code}\\b`).test(tests))).toEqual([])
})
