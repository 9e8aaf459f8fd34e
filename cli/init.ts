/**
 * `mm init DIR`: writes a root of one's own: the default configs and prompts, an example module, and nothing that is
 * not meant to be edited. A folder with something in it is left alone unless forced, and then no file is replaced.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { coded } from '../modules/lib/errors.ts'
import type { Command } from 'commander'
import { prints, type Cli } from './common.ts'
import { print, printJson } from './output.ts'
import { packageRoot } from './package-root.ts'

const COPIED = ['configs', 'prompts', 'modules/example.ts']

export function init(folder: string, force: boolean): { root: string; written: string[] } {
  const root = resolve(folder)
  if (existsSync(root) && readdirSync(root).length > 0 && !force) throw coded('root_not_empty', { root })
  const written: string[] = []
  for (const part of COPIED) {
    cpSync(join(packageRoot, part), join(root, part), {
      recursive: true,
      force: false,
      errorOnExist: false,
      filter: (_from, to) => {
        const taken = existsSync(to)
        if (!taken && /\.[a-z]+$/.test(to)) written.push(to.slice(root.length + 1))
        return true
      },
    })
  }
  for (const part of ['modules', 'runtime']) mkdirSync(join(root, part), { recursive: true })
  const ignore = join(root, '.gitignore')
  if (!existsSync(ignore)) {
    writeFileSync(ignore, 'runtime/\nnode_modules/\n.env\n')
    written.push('.gitignore')
  }
  return { root, written }
}

export function addInit(program: Command, { common }: Cli): void {
  prints(
    program
      .command('init <dir>')
      .description('write a root of your own')
      .option('--force', 'also into a folder that is not empty; nothing is replaced', false)
      .action((dir: string, options: { force: boolean }) => {
        const made = init(dir, options.force)
        if (common().json) printJson(made)
        else print(`${made.root}: ${made.written.length} files written. Start it: mm up --root ${dir}`)
      }),
    '{root, written}',
  )
}
