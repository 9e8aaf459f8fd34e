/** `npm run bench [-- name [args]]`: runs one benchmark or all, each in a process of its own, and prints Markdown. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = dirname(fileURLToPath(import.meta.url))
const [only, ...args] = process.argv.slice(2)
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.ts') && file !== 'support.ts')
  .map((file) => file.slice(0, -3))
const chosen = only === undefined ? names : names.filter((name) => name === only)
if (chosen.length === 0) {
  console.error(`no benchmark ${only}; there are: ${names.join(', ')}`)
  process.exit(2)
}
const typescript = process.features.typescript ? [] : ['--import', 'tsx']
for (const name of chosen) {
  const child = spawnSync(process.execPath, ['--expose-gc', ...typescript, join(folder, `${name}.ts`), ...args], {
    stdio: 'inherit',
  })
  if (child.status !== 0) process.exit(child.status ?? 1)
  console.log('')
}
