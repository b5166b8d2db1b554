import type { PropertyDeclarations } from 'lit';
import { createElement, forwardRef } from 'react';

interface Properties {
  readonly properties: PropertyDeclarations;
  readonly observedAttributes: string[];
}

/**
 * A component that is written as HTML where there is no page: properties as the attributes that they have. An element that has
 * properties beyond that, and those are never in HTML, waits until React gives it them.
 */
export function written<Component>(component: Component, tag: string, { properties, observedAttributes }: Properties, events: object): Component {
  // An element that the page has from elsewhere is of another class, and nobody has made the properties of this one.
  if (typeof document !== 'undefined') return observedAttributes && component;
  const attributes = (props: object): object => {
    const given: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(props)) {
      const { attribute = true, state } = properties[name] ?? {};
      if (name in events || value === undefined || value === null) continue;
      if (!(name in properties)) given[name === 'className' ? 'class' : name] = value;
      else if (value === false) continue; // which is how attributes say it
      else if (name === 'token' || state || !attribute || typeof value === 'object' || typeof value === 'function') given['defer-hydration'] = '';
      else given[attribute === true ? name.toLowerCase() : attribute] = value === true ? '' : String(value);
    }
    return given;
  };
  return forwardRef((props: object, _ref) => createElement(tag, attributes(props))) as Component;
}
