/** `mm freeze` and `mm thaw`: a file in runtime/, so that they work when the system is sick or down. */
import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { coded } from '../modules/lib/errors.ts'
import { realFileSystem } from '../modules/lib/file-system.ts'
import { freezeFile, freezeText } from '../modules/lib/freeze.ts'
import { prints, type Cli, type Common } from './common.ts'
import { print, printJson } from './output.ts'

const fileOf = (root: string): string => freezeFile(join(root, 'runtime'))

function freeze({ root, json }: Common, options: { all?: boolean; reason?: string }): void {
  if (statSync(join(root, 'configs'), { throwIfNoEntry: false }) === undefined)
    throw coded('root_missing', { root, part: 'configs/' })
  const scope = options.all === true ? 'all' : 'self'
  realFileSystem.write(fileOf(root), freezeText(scope, options.reason))
  if (json) printJson({ frozen: scope })
  else
    print(
      scope === 'all'
        ? 'frozen: nothing changes, file edits included'
        : 'frozen: the system may not change itself; your edits still apply',
    )
}

function thaw({ root, json }: Common): void {
  rmSync(fileOf(root), { force: true })
  if (json) printJson({ frozen: 'none' })
  else print('thawed')
}

export function addFreeze(program: Command, { common }: Cli): void {
  prints(
    program
      .command('freeze')
      .description('stop the system from changing itself')
      .option('--all', 'stop file edits from being applied too', false)
      .option('--reason <text>', 'why')
      .action((options: { all: boolean; reason?: string }) => freeze(common(), options)),
    '{frozen}',
  )
  prints(
    program
      .command('thaw')
      .description('end a freeze')
      .action(() => thaw(common())),
    '{frozen}',
  )
}
