/** `mm backup` and `mm restore`: a consistent copy of a root in one file, also while a system runs on it, and back. */
import { basename } from 'node:path'
import type { Command } from 'commander'
import { backup } from '../modules/lib/backup.ts'
import { restore } from '../modules/lib/restore.ts'
import { prints, type Cli, type Common } from './common.ts'
import { print, printJson } from './output.ts'
import { withProgress } from './progress.ts'

const MB = 1_048_576
const DIGEST_SHOWN = 16

const fileFor = (root: string, now: number): string =>
  `${basename(root)}-${new Date(now).toISOString().slice(0, 19).replaceAll(':', '-')}.mm-backup.tar.gz`

async function backUp({ root, json }: Common, given: string | undefined): Promise<void> {
  const now = Date.now()
  const file = given ?? fileFor(root, now)
  const { digest, files } = await withProgress('looking at the files', (tell) =>
    backup({ root, file, now, tell: (count, bytes) => tell(`copying: ${count} files, ${megabytes(bytes)}`) }),
  )
  const bytes = files.reduce((total, one) => total + one.bytes, 0)
  if (json) printJson({ file, digest, files: files.length, bytes, made_at: now })
  else
    print(
      `${file}: ${files.length} files, ${megabytes(bytes)}, digest ${digest.slice(0, DIGEST_SHOWN)}. It holds the token and secrets: keep it safe`,
    )
}

const megabytes = (bytes: number): string => `${(bytes / MB).toFixed(1)} MB`

async function bringBack({ json }: Common, file: string, folder: string): Promise<void> {
  const { digest, files, made_at } = await withProgress('reading the backup', (tell) =>
    restore({ file, folder, tell: (count) => tell(`writing: ${count} files`) }),
  )
  if (json) printJson({ root: folder, digest, files: files.length, made_at })
  else
    print(
      `${folder}: ${files.length} files of ${new Date(made_at).toISOString()}, digest ${digest.slice(0, DIGEST_SHOWN)}. Start it: mm up --root ${folder}`,
    )
}

export function addBackup(program: Command, { common }: Cli): void {
  prints(
    program
      .command('backup [file]')
      .description('a consistent copy of the root in one file, also while it runs')
      .action((file?: string) => backUp(common(), file)),
    '{file, digest, files, bytes, made_at}',
  )
  prints(
    program
      .command('restore <file> <dir>')
      .description('a root from a backup, into an empty folder; whole or not at all')
      .action((file: string, folder: string) => bringBack(common(), file, folder)),
    '{root, digest, files, made_at}',
  )
}
