//! Lists, page by page.

use http::Method;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::{
    client::{Call, Cluster},
    discovery::Resource,
    objects::{path, query_string},
};
use crate::error::{Error, Result};

/// How many objects a page of a list holds.
const PAGE: usize = 500;
const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// What narrows a list.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    pub labels: Option<String>,
    pub fields: Option<String>,
    /// Ask for the metadata only.
    pub metadata_only: bool,
}

/// One page as it was sent; its objects are not parsed yet.
#[derive(Deserialize)]
struct Page<'b> {
    #[serde(default)]
    metadata: PageMetadata,
    #[serde(borrow, default)]
    items: Option<Vec<&'b RawValue>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct PageMetadata {
    #[serde(rename = "continue")]
    next: String,
    resource_version: String,
}

impl Cluster {
    /// Every object that matches, page by page, so that memory holds a page or two and what `each` keeps. While one
    /// page is told, the server makes the next.
    /// Items carry no `apiVersion` and `kind` of their own in a list; they are put back.
    ///
    /// # Returns
    /// The resourceVersion of the list, from which a watch can go on.
    pub async fn list(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        query: &ListQuery,
        mut each: impl FnMut(Value),
    ) -> Result<String> {
        let tell = |text: &str| {
            let mut item: Value = serde_json::from_str(text)?;
            item["apiVersion"] = resource.api_version().into();
            item["kind"] = resource.kind.clone().into();
            each(item);
            Ok(())
        };
        self.list_texts(resource, namespace, query, tell).await
    }

    /// Like `list`, with each object as the JSON that was sent, for lists too long to build every object of.
    pub async fn list_texts(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        query: &ListQuery,
        mut each: impl FnMut(&str) -> serde_json::Result<()>,
    ) -> Result<String> {
        let doing = format!("listing {}", resource.plural);
        let target = path(resource, namespace, None);
        let broken =
            |cause| Error::failed(format!("{doing}: {} did not answer with a list", self.server())).because(cause);
        let mut bytes = self.page(&doing, &target, query, "").await?;
        loop {
            let page: Page<'_> = serde_json::from_slice(&bytes).map_err(broken)?;
            let following = async {
                match page.metadata.next.as_str() {
                    "" => Ok(None),
                    next => self.page(&doing, &target, query, next).await.map(Some),
                }
            };
            let telling = async { page.items.iter().flatten().try_for_each(|item| each(item.get())).map_err(broken) };
            let (following, told) = tokio::join!(following, telling);
            told?;
            match following? {
                Some(following) => bytes = following,
                None => return Ok(page.metadata.resource_version),
            }
        }
    }

    async fn page(&self, doing: &str, target: &str, query: &ListQuery, next: &str) -> Result<Vec<u8>> {
        let mut parameters = vec![("limit", PAGE.to_string())];
        parameters.extend(query.labels.clone().map(|labels| ("labelSelector", labels)));
        parameters.extend(query.fields.clone().map(|fields| ("fieldSelector", fields)));
        if !next.is_empty() {
            parameters.push(("continue", next.to_owned()));
        }
        let mut call = Call::new(Method::GET, target.to_owned() + &query_string(&parameters), doing);
        if query.metadata_only {
            call.accept = METADATA;
        }
        self.call_bytes(&call).await.map(|(_, bytes)| bytes)
    }
}
