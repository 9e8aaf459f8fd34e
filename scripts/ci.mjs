/**
 * `.ci/run`: installs, lints, checks types, runs all behavior and the gate, each as a process of its own. Prints the
 * seconds of each step and of each test suite, and ends with `N passed, N failed` (tests, and steps that have none).
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const scratch = mkdtempSync(join(tmpdir(), 'mm-ci-'))
let passed = 0
let failed = 0
/** what failed, said again at the end */
const failures = []

function run(command, args) {
  return (
    spawnSync(command, args, {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      shell: process.platform === 'win32',
    }).status === 0
  )
}

function step(name, work) {
  const since = performance.now()
  console.log(`\n=== ${name}`)
  const ok = work()
  console.log(`=== ${name}: ${ok ? 'ok' : 'FAILED'}, ${((performance.now() - since) / 1000).toFixed(1)} s`)
  return ok
}

function check(name, work) {
  if (step(name, work)) passed++
  else fail(name)
}

function fail(name) {
  failed++
  failures.push(name)
}

/** A test project: its tests are counted one by one, and a reporter names its suites with their seconds. */
function tests(name, script) {
  const file = join(scratch, `${name}.json`)
  const reporters = ['--reporter=dot', '--reporter=./scripts/tell-tests.mjs', '--reporter=json']
  const ok = step(name, () => run('npm', ['run', '--silent', script, '--', ...reporters, `--outputFile.json=${file}`]))
  try {
    const report = JSON.parse(readFileSync(file, 'utf8'))
    passed += report.numPassedTests
    if (!ok && report.numFailedTests === 0) fail(`${name}, outside of its tests`)
    for (const suite of report.testResults)
      for (const one of suite.assertionResults)
        if (one.status === 'failed') fail(`${suite.name.slice(root.length + 1)}: ${one.fullName}`)
  } catch {
    fail(`${name}, cut off`)
  }
}

// By the script that `npm test` runs first, so that it finds its work done.
check('install', () => run(process.execPath, ['scripts/ensure.mjs', '--locked']))
check('lint', () => run('npm', ['run', '--silent', 'lint']))
check('types', () => run('npm', ['run', '--silent', 'types']))
// With a real Chroma server: here its tests are never skipped.
check('chroma', () => run(process.execPath, ['scripts/chroma.mjs', '--fetch']))
process.env.CI = '1'
tests('behavior', 'test')
tests('gate', 'test:gate')
check('clean tree', () => {
  const { stdout, status } = spawnSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' })
  if (stdout) console.log(stdout)
  return status !== 0 || stdout === ''
})
rmSync(scratch, { recursive: true, force: true })
for (const name of failures) console.log(`FAILED  ${name}`)
console.log(`\n${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
