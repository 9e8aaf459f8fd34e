import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { packageRoot } from '../support/root.ts'

/** Source files of a folder of the project, without installed, built and fixture ones. */
export function sourceFiles(folder: string): string[] {
  if (!existsSync(join(packageRoot, folder))) return []
  return readdirSync(join(packageRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|tsx|mjs|js)$/.test(name) && !/(^|\/)(node_modules|dist|fixtures)\//.test(name))
    .map((name) => join(folder, name))
}

/** `npm run docs` writes what is compared otherwise. */
export function matchesFile(file: string, text: string): void {
  const path = join(packageRoot, file)
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(path, text)
  expect(existsSync(path) ? readFileSync(path, 'utf8') : '').toBe(text)
}
