/** Picks one of the services that are known, for a filter that stands in the address. */
import { services } from '../../live/index.ts'
import { SelectField } from '../../parts/field.tsx'
import { setQuery } from '../../route.ts'

export interface ServiceFieldProps {
  /** undefined: none is picked */
  service: string | undefined
  /** what stands there when none is picked; without it one has to be */
  none?: string
}

export function ServiceField({ service, none }: ServiceFieldProps) {
  const names = (services.value ?? []).map(({ api }) => api)
  // One that is gone, or not read yet, can still be the filter.
  const all = service === undefined || names.includes(service) ? names : [service, ...names]
  return (
    <SelectField
      label="Service"
      bare
      value={service ?? ''}
      onPick={(picked) => setQuery({ service: picked === '' ? undefined : picked })}
      choices={[...(none === undefined ? [] : [{ value: '', text: none }]), ...all]}
    />
  )
}
