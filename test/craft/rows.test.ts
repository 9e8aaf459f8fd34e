/** docs/rows.md: which test shows which row of the four systems' lists. Written from the titles of the tests. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { packageRoot } from '../support/root.ts'
import { matchesFile, sourceFiles } from './files.ts'

const SYSTEMS = ['AROS', 'GRACE', 'SynthOrg', 'Aetherra']
const TITLE = new RegExp(String.raw`\bit\(\s*(['"\x60])((${SYSTEMS.join('|')}) (\d+(?:, \d+)*): (.*?))\1\s*,`, 'g')

interface Row {
  system: string
  row: number
  what: string
  file: string
}

const rows: Row[] = sourceFiles('test')
  .filter((file) => file.endsWith('.test.ts'))
  .flatMap((file) =>
    [...readFileSync(join(packageRoot, file), 'utf8').matchAll(TITLE)].flatMap(
      ([, , , system = '', numbers = '', what = '']) =>
        numbers.split(', ').map((row) => ({ system, row: Number(row), what, file })),
    ),
  )
  .sort((a, b) => SYSTEMS.indexOf(a.system) - SYSTEMS.indexOf(b.system) || a.row - b.row || (a.file < b.file ? -1 : 1))

const page = `# Rows

What the four systems this one grew from promise, as numbered rows, and the test that shows each here. A row is named by
its test's title; this page is written from them by \`npm run docs\`.

| row | shown by | |
|---|---|---|
${rows.map(({ system, row, what, file }) => `| ${system} ${row} | ${what} | [${file.replace('test/', '')}](../${file}) |`).join('\n')}
`

it('docs/rows.md names every row that a test shows', () => {
  expect(rows.length).toBeGreaterThan(0)
  matchesFile('docs/rows.md', page)
})
