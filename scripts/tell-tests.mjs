/**
 * A reporter for `.ci/run`. Says each test that fails when it does, so that a run that is cut off has told its failures;
 * at the end how long each suite kept its process: from its start, with the hooks before and after its tests.
 */
export default class TellTests {
  suites = []

  onTestCaseResult(test) {
    const { state, errors } = test.result()
    if (state !== 'failed') return
    const said = errors
      ?.flatMap(({ message, diff = '' }) => [...message.split('\n').slice(0, 12), ...diff.split('\n').slice(0, 40)])
      .join('\n')
    console.log(`\nFAILED ${test.module.relativeModuleId} > ${test.fullName}\n${said ?? ''}\n`)
  }

  onTestModuleEnd(module) {
    const { prepareDuration, environmentSetupDuration, setupDuration, collectDuration, duration } = module.diagnostic()
    const ms = prepareDuration + environmentSetupDuration + setupDuration + collectDuration + duration
    this.suites.push({ name: module.relativeModuleId, state: module.state(), ms })
  }

  onTestRunEnd() {
    console.log('')
    for (const { name, state, ms } of this.suites.toSorted((a, b) => b.ms - a.ms))
      console.log(`${(ms / 1000).toFixed(1).padStart(7)} s  ${state}  ${name}`)
  }
}
