import { type ComponentProps, createElement, type ElementType, forwardRef, type ForwardRefExoticComponent } from 'react';

type Refreshed<Component extends ElementType, Seconds> = ForwardRefExoticComponent<Omit<ComponentProps<Component>, 'refresh'> & Seconds>;

/** A component that leaves the element its method `refresh()`. Of one that has the seconds as a property, a prop `refresh` says them, as the attribute does. */
export function refreshed<Component extends ElementType>(component: Component): Refreshed<Component, unknown>;
export function refreshed<Component extends ElementType>(component: Component, property: string): Refreshed<Component, { refresh?: number | undefined }>;
export function refreshed(component: ElementType, property?: string): ElementType {
  return forwardRef(({ refresh, ...props }: { refresh?: number }, ref) => createElement(component, { ...props, ...(property && refresh !== undefined && { [property]: refresh }), ref }));
}
