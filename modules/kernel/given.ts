/** Parts of what a module is given that depend on the root only: where things stand, and the texts of prompts. */
import { isAbsolute, join, normalize } from 'node:path'
import type { PathsApi } from '../contracts/module.ts'
import { coded } from '../lib/errors.ts'
import type { Machine } from './machine.ts'

export const pathsOf = (root: string): PathsApi =>
  Object.freeze({
    root,
    configs: join(root, 'configs'),
    modules: join(root, 'modules'),
    prompts: join(root, 'prompts'),
    runtime: join(root, 'runtime'),
  })

/** The text of a file under the root. A turn that read it keeps what it read. */
export function readPrompt(machine: Machine, path: string): { text: string; hash: string } {
  const inside = normalize(path)
  if (isAbsolute(inside) || inside.startsWith('..')) throw coded('path_outside', { path })
  const file = machine.readPrompt(join(machine.options.root, inside))
  if (file === undefined) throw coded('prompt_missing', { path })
  if (file.bytes > machine.limits.prompt_bytes_max) {
    throw coded('file_too_large', { path, bytes: file.bytes, limit: machine.limits.prompt_bytes_max })
  }
  return { text: file.text, hash: file.hash }
}
