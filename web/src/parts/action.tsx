/**
 * What changes something: it shows first what it would touch, does it when the person says so, and tells what came of
 * it. The command that does the same stands beside it. No other part of the page changes anything.
 */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { refusalOf, type Refusal } from '../api/client.ts'
import type { Command } from '../commands.ts'
import { lookNow } from '../live/index.ts'
import { Button } from './button.tsx'
import { CommandLine } from './command-line.tsx'
import { Dialog } from './dialog.tsx'
import { Failure, Loading } from './states.tsx'
import { toast, type ToastText } from './toast.tsx'

export interface ActionProps {
  /** on the button, as `Roll back` */
  label: string
  /** of the dialog; the label without it */
  title?: string
  /** what does the same */
  command: Command
  /** What it would touch, to be drawn: asked when the dialog opens. May throw a `Refusal`: then it cannot be done. */
  preview?: () => Promise<ComponentChildren>
  /** Does it. What it returns is said as a toast, with numbers. A `Refusal` it throws is shown in the dialog. */
  run: () => Promise<ToastText | string>
  /** @default 'normal' */
  kind?: 'normal' | 'primary' | 'danger' | 'quiet'
  disabled?: boolean
  /** what it would touch stands beside it already: one press does it, and only a refusal opens a dialog */
  shown?: boolean
  /** why it cannot be done now: the title of a disabled button */
  reason?: string
}

type Step =
  | { at: 'closed' }
  | { at: 'looking' }
  | { at: 'shown'; preview: ComponentChildren }
  | { at: 'running'; preview: ComponentChildren }
  | { at: 'failed'; preview: ComponentChildren; error: Refusal; before: 'look' | 'run' }

export function Action({
  label,
  title = label,
  command,
  preview,
  run,
  kind = 'normal',
  disabled = false,
  shown = false,
  reason,
}: ActionProps) {
  const [step, setStep] = useState<Step>({ at: 'closed' })
  const look = async (): Promise<void> => {
    setStep({ at: 'looking' })
    try {
      setStep({ at: 'shown', preview: await preview?.() })
    } catch (thrown) {
      setStep({ at: 'failed', preview: undefined, error: refusalOf(thrown), before: 'look' })
    }
  }
  const go = async (seen: ComponentChildren): Promise<void> => {
    setStep({ at: 'running', preview: seen })
    try {
      const told = await run()
      toast(typeof told === 'string' ? { tone: 'good', text: told } : told)
      setStep({ at: 'closed' })
    } catch (thrown) {
      setStep({ at: 'failed', preview: seen, error: refusalOf(thrown), before: 'run' })
    }
    lookNow()
  }
  return (
    <>
      <span data-command={command.text}>
        <Button
          kind={kind}
          disabled={disabled}
          {...(reason === undefined ? {} : { title: reason })}
          busy={shown && step.at === 'running'}
          onClick={() => void (shown ? go(undefined) : look())}
        >
          {label}
        </Button>
      </span>
      {step.at !== 'closed' && !(shown && step.at === 'running') && (
        <ActionDialog
          label={label}
          title={title}
          command={command}
          kind={kind}
          step={step}
          go={go}
          look={look}
          close={() => setStep({ at: 'closed' })}
        />
      )}
    </>
  )
}

interface ActionDialogProps extends Required<Pick<ActionProps, 'label' | 'title' | 'command' | 'kind'>> {
  step: Exclude<Step, { at: 'closed' }>
  go: (preview: ComponentChildren) => Promise<void>
  look: () => Promise<void>
  close: () => void
}

function ActionDialog({ label, title, command, kind, step, go, look, close }: ActionDialogProps) {
  const isReady = step.at === 'shown' || (step.at === 'failed' && step.before === 'run')
  const footer = (
    <>
      <CommandLine command={command} />
      <span class="grow" />
      <Button onClick={close}>Cancel</Button>
      <Button
        kind={kind === 'danger' ? 'danger' : 'primary'}
        disabled={!isReady && step.at !== 'running'}
        busy={step.at === 'running'}
        onClick={() => void go('preview' in step ? step.preview : undefined)}
      >
        {label}
      </Button>
    </>
  )
  return (
    <Dialog title={title} onClose={close} footer={footer} wide>
      {step.at === 'looking' && <Loading label="What it would touch" />}
      {'preview' in step && step.preview}
      {step.at === 'failed' && (
        <Failure error={step.error} {...(step.before === 'look' ? { again: () => void look() } : {})} />
      )}
    </Dialog>
  )
}
