/** Writes a subject and its helpers as files of a root, as all peers read them. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Mutation, Subject } from './contract.ts'

export const packageRoot = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

export const modulePath = (name: string): string => `modules/${name}.ts`
export const configPath = (name: string): string => `configs/${name}.yml`
export const changedPath = (mutation: Mutation): string =>
  mutation.file === 'config' ? configPath(mutation.subject) : modulePath(mutation.subject)

export function writeFiles(folder: string, files: Record<string, string>): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), text)
  }
}

export function writeSubject(folder: string, { name, source, config, helpers }: Subject): void {
  const files: Record<string, string> = { [modulePath(name)]: source, [configPath(name)]: config }
  for (const [helper, text] of Object.entries(helpers)) {
    files[modulePath(helper)] = text
    files[configPath(helper)] = `prog: ${helper}\n`
  }
  writeFiles(folder, files)
}

/** For peers that load as Node does: ESM, which is what `import()` under a new name loads anew, and the two packages that subjects import. */
export function linkPackages(folder: string): void {
  writeFiles(folder, { 'package.json': '{"type":"module"}' })
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  symlinkSync(packageRoot, join(folder, 'node_modules', 'meta-machine'))
  symlinkSync(join(packageRoot, 'node_modules', 'zod'), join(folder, 'node_modules', 'zod'))
}
