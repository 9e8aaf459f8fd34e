/** A reporter for `.ci/run`: says each test that fails when it does, so that a run that is cut off has told its failures. */
export default class TellFailures {
  onTestCaseResult(test) {
    const { state, errors } = test.result()
    if (state !== 'failed') return
    const said = errors?.map(({ message }) => message.split('\n').slice(0, 12).join('\n')).join('\n')
    console.log(`\nFAILED ${test.module.relativeModuleId} > ${test.fullName}\n${said ?? ''}\n`)
  }
}
