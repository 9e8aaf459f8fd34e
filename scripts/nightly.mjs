/**
 * `npm run test:nightly -- [--scale N] [--seed S] [files…]`: the long runs, N times their nightly size (0.01 for a quick
 * look, 10 for a weekend). The test runner refuses options it does not know, so they reach the tests as MM_SCALE and
 * MM_SEED; all else is passed on to it. Each run prints the figures that docs/reliability.md holds.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const NUMBERS = { '--scale': 'MM_SCALE', '--seed': 'MM_SEED' }

const env = { ...process.env }
const rest = []
const given = process.argv.slice(2).flatMap((one) => (/^--\w+=/.test(one) ? one.split(/=(.*)/s, 2) : [one]))
for (let at = 0; at < given.length; at++) {
  const name = NUMBERS[given[at]]
  if (name === undefined) {
    rest.push(given[at])
    continue
  }
  const value = given[++at]
  if (!(Number(value) > 0)) {
    process.stderr.write(`${given[at - 1]} needs a number above 0\n`)
    process.exit(2)
  }
  env[name] = value
}

const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url))
const { status } = spawnSync(process.execPath, [vitest, 'run', '--project', 'nightly', ...rest], {
  env,
  stdio: 'inherit',
})
process.exit(status ?? 1)
