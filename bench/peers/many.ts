/**
 * The same many services written down twice: as a root of ours (one YAML and one module each) and as a Cordis
 * application (one YAML with an entry each, a plugin file each). Method texts are the same; each service answers with
 * the `version` of its config. Used by bench/cordis.ts.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { moduleSource } from '../support.ts'

const METHODS = moduleSource(3_072, 0)
  .split('\n')
  .filter((line) => line.startsWith('  method'))
  .join('\n')
const PLAIN_METHODS = METHODS.replace(/: (number|string)/g, '')

/** Cordis on this Node reads JavaScript only, so its plugins are plain, and ours are TypeScript unless asked. */
export function ourFiles(count: number, language: 'ts' | 'js' = 'ts'): Record<string, string> {
  const files: Record<string, string> = {}
  for (let index = 0; index < count; index++) {
    files[`configs/s${index}.yml`] = ourConfig(0)
    files[`modules/s${index}.${language}`] =
      language === 'ts'
        ? `export class Module {\n  readonly config: { version: number }\n  constructor(_kernel: unknown, config: { version: number }) { this.config = config }\n  answer(): number { return this.config.version }\n${METHODS}\n}\n`
        : `export class Module {\n  constructor(_kernel, config) { this.config = config }\n  answer() { return this.config.version }\n${PLAIN_METHODS}\n}\n`
  }
  return files
}

export const ourConfig = (version: number): string => `version: ${version}\n`

export const cordisConfig = (versions: readonly number[]): string =>
  versions
    .map((version, index) => `- id: s${index}\n  name: ./plugins/s${index}.mjs\n  config:\n    version: ${version}\n`)
    .join('')

/** `benchLive` tells the benchmark of a new instance: it is there once the constructor has run. */
const cordisPlugin = (name: string): string => `import { Service } from '${import.meta.resolve('@deepseek-ai/cordis')}'
export default class extends Service {
  constructor(ctx, config) { super(ctx, '${name}'); this.settings = config; globalThis.benchLive?.('${name}', config.version) }
  answer() { return this.settings.version }
${PLAIN_METHODS}
}
`

export function writeCordisApp(count: number): { folder: string; dispose(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'mm-bench-cordis-'))
  mkdirSync(join(folder, 'plugins'))
  writeFileSync(join(folder, 'cordis.yml'), cordisConfig(Array.from({ length: count }, () => 0)))
  for (let index = 0; index < count; index++)
    writeFileSync(join(folder, 'plugins', `s${index}.mjs`), cordisPlugin(`s${index}`))
  return { folder, dispose: () => rmSync(folder, { recursive: true, force: true }) }
}
