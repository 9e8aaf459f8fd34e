import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../support/root.ts'

/** Source files of a folder of the project, without installed, built and fixture ones. */
export function sourceFiles(folder: string): string[] {
  if (!existsSync(join(packageRoot, folder))) return []
  return readdirSync(join(packageRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|mjs|js)$/.test(name) && !/(^|\/)(node_modules|dist|fixtures)\//.test(name))
    .map((name) => join(folder, name))
}
