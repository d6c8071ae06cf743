/**
 * Says what to do about blocking sessions. Sessions of afresh itself are listed apart, since no test left
 * those open.
 */
export function describeBlockers(
  sessions: readonly { readonly text: string; readonly isOwn: boolean }[],
): string {
  const listed = (own: boolean) =>
    sessions.flatMap(({ text, isOwn }) => (isOwn === own ? [`\n    ${text}`] : [])).join('')
  const [others, own] = [listed(false), listed(true)]
  return [
    ...(others === '' ? [] : [`End the sessions that block it (a test left them open):${others}`]),
    ...(own === ''
      ? []
      : [
          `Another call of afresh is at work here (an erase, purge or reset, of another worker or not awaited): await it, and try again:${own}`,
        ]),
  ].join('\n')
}
