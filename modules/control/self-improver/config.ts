/** The keys of the service `self-improver`: limits, with their units in their names. docs/self-improver.md explains them. */
import { z } from 'zod'

const count = (value: number): z.ZodDefault<z.ZodNumber> => z.number().int().positive().default(value)

export const configSchema = z.object({
  /** who is asked, the first that is ready; a request may name another */
  providers: z.array(z.string()).default(['openai', 'local']),
  prompt_file: z.string().default('prompts/self-improver.txt'),
  tries: count(3),
  budget_usd: z.number().positive().default(1),
  output_tokens_max: count(16_000),
  answer_ms: count(300_000),
  /** of all sources that are told to the model */
  source_chars_max: count(200_000),
  edits_max: count(20),
  edit_chars_max: count(500_000),
  /** recorded calls that are made again */
  replay_calls_max: count(400),
  /** calls with arguments, or answers of others, made from recorded ones */
  made_calls_max: count(3_000),
  /** calls of each method in the long run */
  endurance_calls_max: count(25_000),
  /** processor time of the version that serves in it; the candidate may take so much too */
  endurance_cpu_ms: count(1_500),
  call_ms: count(2_000),
  replay_ms: count(20_000),
  /** processor time of one version for recorded calls, for made-up ones, and to fill and look at its state */
  replay_cpu_ms: count(3_000),
  made_calls_cpu_ms: count(1_500),
  hand_over_cpu_ms: count(800),
  /** how much slower a candidate may be, as a share, and by how many milliseconds at least */
  slower_share_max: z.number().positive().default(0.25),
  slower_ms_min: z.number().positive().default(1),
  leak_bytes_per_call_max: count(64),
  /** what a module without tests beside it comes to, unless the change brings some */
  tests: z.enum(['required', 'when_there', 'off']).default('required'),
  test_files_max: count(20),
  /** of the tests of one file */
  tests_ms: count(10_000),
  /** checked where the root, or a checkout, has the tool */
  types: z.enum(['when_there', 'off']).default('when_there'),
  lint: z.enum(['when_there', 'off']).default('when_there'),
  /** of the type checker, and of the linter */
  types_ms: count(60_000),
  /** improvements that are kept */
  kept_max: count(1_000),
})

export type Config = z.infer<typeof configSchema>
