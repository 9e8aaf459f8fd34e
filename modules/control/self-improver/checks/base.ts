/**
 * Is it made from what stands there now, and can it be read at all? A file that has moved on, syntax, an import that is
 * not there, and changes to the tests that judge it are told before anything is tried.
 */
import { shortHash } from '../../../lib/hash.ts'
import { isTest } from '../candidate.ts'
import { failed, passed, type ChangeCheck } from '../check.ts'
import { textAt } from '../disk.ts'

export const baseCheck: ChangeCheck = {
  name: 'base',
  of: 'change',
  // oxlint-disable-next-line typescript/require-await -- one shape for all checks
  async run({ kernel, config, candidate: { edits, subjects } }) {
    const paths = edits.map(({ path }) => path)
    if (edits.length === 0) return failed('it changes nothing')
    if (edits.length > config.edits_max) return failed(`it changes ${edits.length} files; at most ${config.edits_max}`)
    if (new Set(paths).size < paths.length) return failed('it changes a file twice')
    for (const { path, base_hash, text } of edits) {
      if ((text?.length ?? 0) > config.edit_chars_max)
        return failed(`${path} would have ${text?.length} characters; at most ${config.edit_chars_max}`)
      const now = textAt(kernel.paths.root, path)
      const hash = now === undefined ? null : shortHash(now)
      if (hash !== base_hash)
        return failed(`${path} is no longer what this change was made from: read it again`, { path, base_hash, hash })
      if (now !== undefined && now === text) return failed(`${path} would stay as it is`)
      if (isTest(path) && now !== undefined)
        return failed(`${path} judges this change, so the change may not touch it; new tests may be added`)
    }
    const [broken] = subjects.flatMap(({ refusal }) => refusal ?? [])
    if (broken === undefined) return passed(`${edits.length} files, made from what stands there`)
    const place = [broken.file, broken.line, broken.column].filter((one) => one !== undefined).join(':')
    return failed(`${place === '' ? '' : `${place}: `}${broken.message}. ${broken.hint}`)
  },
}
