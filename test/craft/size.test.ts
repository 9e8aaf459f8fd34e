import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { packageRoot } from '../support/root.ts'
import { sourceFiles } from './files.ts'

const LINES_MAX = 300
const FUNCTION_LINES_MAX = 60
/** A table is one idea however long it is. */
const TABLES = ['modules/contracts/errors.ts', 'modules/control/metrics/catalogue.ts']
const FOLDERS = ['modules', 'cli', 'bench', 'bin', 'scripts', 'web', 'test']

const files = ['run.ts', ...FOLDERS.flatMap(sourceFiles)].filter((file) => !TABLES.includes(file))

it(`no file is longer than ${LINES_MAX} lines`, () => {
  const long = files
    .map((file) => ({ file, lines: readFileSync(join(packageRoot, file), 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > LINES_MAX)
  expect(long).toEqual([])
})

it(`no function is longer than ${FUNCTION_LINES_MAX} lines`, () => {
  const config = join(packageRoot, 'test/craft/size.oxlintrc.json')
  const { stdout } = spawnSync(
    join(packageRoot, 'node_modules/.bin/oxlint'),
    ['--config', config, '--format', 'unix', 'run.ts', ...FOLDERS.filter((folder) => folder !== 'test')],
    {
      cwd: packageRoot,
      encoding: 'utf8',
    },
  )
  expect(stdout.split('\n').filter((line) => line.includes('max-lines-per-function'))).toEqual([])
})

it('every source file begins with what it is and why', () => {
  const bare = files
    .filter((file) => !file.startsWith('test/') && /\.(ts|tsx|mjs|js)$/.test(file))
    .filter((file) => !/^(#!.*\n)?\/\*\*/.test(readFileSync(join(packageRoot, file), 'utf8')))
  expect(bare).toEqual([])
})
