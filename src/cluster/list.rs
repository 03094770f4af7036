//! Lists, page by page.

use http::Method;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::{
    client::{Call, Cluster},
    discovery::Resource,
    items::Items,
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

impl ListQuery {
    fn parameters(&self) -> Vec<(&'static str, String)> {
        let labels = self.labels.clone().map(|labels| ("labelSelector", labels));
        labels.into_iter().chain(self.fields.clone().map(|fields| ("fieldSelector", fields))).collect()
    }
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
            let telling = async {
                for item in page.items.iter().flatten() {
                    let mut item: Value = serde_json::from_str(item.get()).map_err(broken)?;
                    item["apiVersion"] = resource.api_version().into();
                    item["kind"] = resource.kind.clone().into();
                    each(item);
                }
                Ok(())
            };
            let (following, told) = tokio::join!(following, telling);
            told?;
            match following? {
                Some(following) => bytes = following,
                None => return Ok(page.metadata.resource_version),
            }
        }
    }

    /// Like `list`, for lists of which little is kept of each object: told as the JSON that was sent, while the list
    /// still arrives. It is one request, because a server reads every page but the first from its store, which takes
    /// it several times as long as a whole list from its cache. Told again are those that came before a connection
    /// broke.
    pub async fn list_texts(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        query: &ListQuery,
        mut each: impl FnMut(&str),
    ) -> Result<()> {
        let doing = format!("listing {}", resource.plural);
        let parameters = query.parameters();
        let mut target = path(resource, namespace, None);
        if !parameters.is_empty() {
            target += &query_string(&parameters);
        }
        let call = Call::new(Method::GET, target, &doing);
        let broken = || Error::failed(format!("{doing}: {} did not answer with a list", self.server()));
        let mut items = Items::default();
        let tell = |piece: Option<&[u8]>| {
            let Some(piece) = piece else {
                items = Items::default();
                return Ok(());
            };
            items.take(piece, |item| std::str::from_utf8(item).map(&mut each)).map_err(|cause| broken().because(cause))
        };
        self.call_streamed(&call, tell).await?;
        if items.is_whole() { Ok(()) } else { Err(broken().hint("the answer broke off; try again")) }
    }

    async fn page(&self, doing: &str, target: &str, query: &ListQuery, next: &str) -> Result<Vec<u8>> {
        let mut parameters = vec![("limit", PAGE.to_string())];
        parameters.extend(query.parameters());
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
