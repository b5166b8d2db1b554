import"./chunk-XJDWNH33.js";import"./chunk-VL3C556D.js";import{f as $}from"./chunk-QH3JCQUX.js";import{b as s,d as u}from"./chunk-UF6JPII4.js";import"./chunk-DACC7DKD.js";function p({values:e},n,t,a){let r={...a};for(let[i,m]of Object.entries(e)){let l=n?.find(({name:c})=>c===$(i)),o=l&&v(l,m);!l||o===void 0||(d(t[l.name],o)?delete r[l.name]:r[l.name]=o)}return r}function v({options:e,type:n},t){if(e)return e.find(a=>d(a.value,t)||d(a.value,[t])||a.label===t)?.value;if(t!=null)return n.startsWith("[")?[t]:t}function d(e,n){return JSON.stringify(e)===JSON.stringify(n)}var O=e=>{let{_plan:n,_problem:t,_answer:a}=e;return!n&&!t&&!e.name?u:s`<div class="page" @tile-retry=${()=>e.refresh()} @tile-reset=${()=>e._chosen={}} @tile-pick=${r=>b(e,r)}>
    ${n&&!e.headless?w(e,n):u}
    ${t&&a?s`<usher-notice .problem=${t} .since=${e._since} .locale=${e.language} .timezone=${e.timezone}></usher-notice>`:u}
    ${n&&(a||!t)?s`<div class="grid">${y(f(n.tiles)).map(([r,i])=>k(e,r,n,i))}</div>`:s`<usher-tile class="alone" .tile=${{chart:{}}} .problem=${t}></usher-tile>`}
  </div>`};function w(e,{title:n,description:t,parameters:a=[]}){let r=a.filter(({control:i})=>i);return r.length>0&&import("./parameters-7Z7EF2IA.js"),s`<div class="head">
    <div class="titles">${n&&s`<h2>${n}</h2>`}${t&&s`<p>${t}</p>`}</div>
    ${r.length>0?s`<usher-parameters
          .parameters=${r}
          .values=${e.values}
          .timezone=${e.values.timezone??e.timezone}
          .locale=${e.language}
          @parameter=${({detail:i})=>e.set(i.name,i.value)}
        ></usher-parameters>`:u}
  </div>`}function k(e,n,{parameters:t=[]},a){let{kind:r}=n.chart,{x:i,y:m,w:l,h:o}=n.at,{values:c,_answer:h}=e;return s`<usher-tile
    class=${r==="number"||r==="text"?`${r}${a?" whole":""}`:"fixed"}
    data-tile=${n.id}
    .style=${`--x:${i+1};--y:${m+1};--w:${l};--h:${o}`}
    .tile=${n}
    .result=${r==="text"?{}:h?.tiles[n.id]}
    ?busy=${e._busy&&h!==void 0}
    .locale=${e.language}
    .timezone=${c.timezone??e.timezone}
    .places=${e.places}
    .selectable=${new Set(t.map(({name:g})=>g))}
    .selected=${new Map(Object.entries(c))}
    .changed=${Object.keys(e._chosen).length>0}
  ></usher-tile>`}function b(e,{target:n,detail:t}){e.tell("select",{tile:n.dataset.tile,...t})&&(e._chosen=p(t,e._plan?.parameters,e.values,e._chosen))}function y(e){let n=0;return e.map((t,a)=>(n=t.chart.kind==="number"?n+1:0,[t,n%2===1&&e[a+1]?.chart.kind!=="number"]))}function f(e){return[...e].sort((n,t)=>n.at.y-t.at.y||n.at.x-t.at.x)}export{O as page};
