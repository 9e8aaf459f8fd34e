/** What stands where a view has nothing to show yet: loading, empty, failed. Each view has all three. */
import type { ComponentChildren } from 'preact'
import type { Refusal } from '../api/client.ts'
import type { Asked } from '../api/use-ask.ts'
import { Button } from './button.tsx'
import { Said } from './said.tsx'

/** `label`: what is on its way, as `Services`. */
export function Loading({ label }: { label: string }) {
  return (
    <div class="state" role="status">
      <span class="spinner" aria-hidden="true" /> {label} …
    </div>
  )
}

export interface EmptyProps {
  title: string
  /** why, and what would bring something here */
  children?: ComponentChildren
}

export function Empty({ title, children }: EmptyProps) {
  return (
    <div class="state is-empty">
      <strong>{title}</strong>
      {children !== undefined && <p>{children}</p>}
    </div>
  )
}

export interface FailureProps {
  error: Pick<Refusal, 'code' | 'message' | 'hint'> & { file?: string | undefined; line?: number | undefined }
  again?: () => void
}

export function Failure({ error: { code, message, hint, file, line }, again }: FailureProps) {
  return (
    <div class="state is-failed" role="alert">
      <strong>
        <Said text={message} />
      </strong>
      {file !== undefined && <code>{line === undefined ? file : `${file}:${line}`}</code>}
      {hint !== '' && (
        <p>
          <Said text={hint} />
        </p>
      )}
      <p class="dim">
        <code>{code}</code>
      </p>
      {again !== undefined && <Button onClick={again}>Try again</Button>}
    </div>
  )
}

export interface AskedViewProps<T> {
  asked: Asked<T>
  label: string
  children: (value: T) => ComponentChildren
}

/** Loading, failed, or what is made of the value. A value that was there stays while a later question fails. */
export function AskedView<T>({ asked, label, children }: AskedViewProps<T>) {
  if (asked.state === 'loading') return <Loading label={label} />
  if (asked.state === 'ready') return <>{children(asked.value)}</>
  return (
    <>
      <Failure error={asked.error} again={asked.again} />
      {asked.value !== undefined && children(asked.value)}
    </>
  )
}
