#!/usr/bin/env node
/**
 * The command `mm`. Hands over to compiled code: a published package carries it, a checkout keeps it beside its sources.
 * Where that cannot be, the sources are run: Node 22.18 and newer strip types themselves, Node 20 needs a hook. `mm run`
 * is the system itself, as a child of `mm up`.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`meta-machine needs Node 20.19 or newer; this is ${process.versions.node}\n`)
  process.exit(2)
}
const root = join(fileURLToPath(import.meta.url), '..', '..')
const isCheckout = existsSync(join(root, 'run.ts'))
const dist = isCheckout ? await import('./compiled.js').then(({ compiled }) => compiled(root)) : join(root, 'dist')
// Stacks name the lines of the sources, as they do where TypeScript is run.
if (dist !== undefined) process.setSourceMapsEnabled(true)
else if (!process.features.typescript) {
  const { register } = await import('tsx/esm/api')
  register()
}
const [command, ...rest] = process.argv.slice(2)
const name = command === 'run' ? 'run' : 'cli/main'
const file = dist === undefined ? join(root, `${name}.ts`) : join(dist, `${name}.js`)
const { main, heedReader, untilRead } = await import(pathToFileURL(file).href)
heedReader?.(process.argv.slice(2))
const code = await main(command === 'run' ? rest : process.argv.slice(2))
await untilRead?.(process.argv.slice(2))
process.exit(code)
