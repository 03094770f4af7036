//! The sandbox over HTTPS, as clients see it: on a bare machine, without any cluster.

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod beside;
#[cfg(test)]
mod client;
#[cfg(test)]
mod custom;
#[cfg(test)]
mod deletes;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod kubectl;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod own;
#[cfg(test)]
mod support;
#[cfg(test)]
mod watches;
#[cfg(test)]
mod writes;
