// What is to be said of a role, line by line.
import { CircleAlert, CircleCheck, TriangleAlert } from 'lucide-react';
import { t } from '../../texts';
import type { Finding } from './read';

// Without onGo the lines lead nowhere, and where there are none nothing is said.
export function Findings({ of, text, onGo }: { of: Finding[]; text: string; onGo?: (finding: Finding) => void }) {
  const line = (finding: Finding) => t.roles.line(text.slice(0, finding.from).split('\n').length);
  if (!onGo && of.length === 0) return null;
  return (
    <ul className="role-findings" aria-label={t.roles.findings} aria-live={onGo && 'polite'}>
      {of.length === 0 && (
        <li className="good">
          <CircleCheck size={16} aria-hidden />
          <span>{t.roles.fine}</span>
        </li>
      )}
      {of.map((finding) => (
        <li key={`${finding.from} ${finding.message}`} className={finding.fails ? 'bad' : 'warn'}>
          {finding.fails ? <CircleAlert size={16} aria-hidden /> : <TriangleAlert size={16} aria-hidden />}
          <span>
            {onGo ? (
              <button type="button" className="link" onClick={() => onGo(finding)}>
                {line(finding)}
              </button>
            ) : (
              <strong>{line(finding)}</strong>
            )}{' '}
            {finding.message}
          </span>
        </li>
      ))}
    </ul>
  );
}
